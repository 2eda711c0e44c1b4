"""What do downloaded snippets import? Series by name; they live in `lstm_core.tasks.series`."""

from lstm_core.tasks.series import known

__all__ = ["known"]
