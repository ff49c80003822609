"""What people say of images: what they are shown, and what they answer."""
