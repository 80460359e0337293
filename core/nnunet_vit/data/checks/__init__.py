"""What is looked at in every image and label before anything is computed with them."""
