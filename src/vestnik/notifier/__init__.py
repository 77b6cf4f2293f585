"""The bell: "look now".  It carries nothing of value; polling is the truth."""
