"""Everything that makes model files. Needs the extra ``samaf[train]``."""
