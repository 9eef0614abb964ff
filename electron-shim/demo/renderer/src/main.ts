document.title = "LoRA Sidecar";
