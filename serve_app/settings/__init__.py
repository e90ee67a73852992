"""What the chart may say to the apps, as pydantic models; and the chart's values.schema.json, made from them."""
