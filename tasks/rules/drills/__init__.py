"""Game days: the drills, what each expects of the automation, and the score. Nothing is broken here."""
