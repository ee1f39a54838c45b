"""Steps of a drill: inject a fault, wait for the reaction, fix the fault, score."""
