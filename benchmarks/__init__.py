"""How fast the centre is, each figure beside the limit measured in the same run."""
