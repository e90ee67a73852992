"""Level 3: what the chart renders is what Ray and vLLM take, in the built serve image."""
