"""What keeps student code apart: which layer, the way into it, what it lets see, in words."""
