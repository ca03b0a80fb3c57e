"""Where a remote keeps its files and its manifest: a directory, or S3 and DynamoDB."""
