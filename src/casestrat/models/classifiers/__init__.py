"""The probability of an outcome within a horizon: logistic regression and its challenger."""
