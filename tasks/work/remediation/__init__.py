"""What an action needs around it: its inputs, its plan, its execution, the proof of its effect."""
