"""A message as Slack blocks and threads."""
