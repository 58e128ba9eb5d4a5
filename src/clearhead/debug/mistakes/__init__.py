"""Which features the mistakes are due to, and what would flip a prediction."""
