"""Find the updates that several runs have in common: values, prefix tree, state keys and ledger."""
