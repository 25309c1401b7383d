-- Values of results in a column of their own, last in the row; those of older rows stay in their records.
ALTER TABLE results ADD COLUMN checksum INTEGER;
ALTER TABLE results ADD COLUMN value BLOB;
