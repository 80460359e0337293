"""A trained model as an ONNX file, and beside it as JSON what has to be done around it."""
