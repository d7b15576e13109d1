"""Whether the verification by the signal proves what it says, on clips as cases bring them."""
