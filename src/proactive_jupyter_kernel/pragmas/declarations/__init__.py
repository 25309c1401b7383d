"""What a pragma is: its declaration, the kinds of its values, and how a call is bound to them."""
