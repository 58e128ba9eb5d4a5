"""Are planted faults found, are clean models accused, and does the mend help?"""
