"""What every bench shares: its figures and their budgets, the machine, a stack of its own, the table and the JSON."""
