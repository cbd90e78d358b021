"""What any service needs and no rule of learning."""
