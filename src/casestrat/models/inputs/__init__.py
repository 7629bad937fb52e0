"""What an estimator is given: features, labels, persons, weights, read and checked the same way."""
