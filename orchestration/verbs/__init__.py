"""What a verb of the command line says and does on the terminal. The only folder that prints; nothing imports it but the command line."""
