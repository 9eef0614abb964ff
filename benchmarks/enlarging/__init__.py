"""What `make bench-upscale` needs: pictures, the same weights in PyTorch, a process to measure."""
