"""What the product ships as data: policy, example settings, the demo company."""
