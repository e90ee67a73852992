"""`/v1/batches`: many requests as one file, done behind interactive ones, each answered once."""
