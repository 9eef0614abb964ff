"""Making pictures better: redrawn a little with diffusion, or sharpened by super-resolution."""
