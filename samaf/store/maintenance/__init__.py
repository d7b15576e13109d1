"""What an administrator does with whole stores: back up, copy, merge, check, fix."""
