"""From a file to the parts of a store: parsing, splitting, embedding, and who does it when."""
