"""What a catalogue of a given size needs: memory, disk, nodes, hours, money. Arithmetic over stated constants."""
