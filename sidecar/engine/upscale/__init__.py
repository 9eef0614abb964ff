"""Super-resolution with ONNX Runtime, numpy and Pillow; torch is never imported here."""
