"""Generated from proto/bss/v1 of bss-node by generate.py; do not edit."""
