"""HPO-B: policies beside the published runs of other methods."""
