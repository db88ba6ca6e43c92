"""Ways to search; each is found by its name through `trimtab.optimizer.strategy.load`."""
