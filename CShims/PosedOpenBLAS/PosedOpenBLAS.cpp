namespace posed {}
