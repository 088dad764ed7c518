"""What the program is made of below the kit: contract, record, kernel, drivers, checkers."""
