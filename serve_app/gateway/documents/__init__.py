"""Files and vector stores: requests that go on to the data component, with who sends them."""
