"""The second family: a U-Net over mel spectrograms, trained to take noise away."""
