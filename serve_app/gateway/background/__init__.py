"""What runs beside requests: supervised tasks, mounted files that change."""
