"""The HTTP door: the API of send.php and its siblings."""
