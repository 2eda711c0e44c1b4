"""How well would a series have been forecast? A network, trained anew for each fold, and all that is simpler."""
