"""What the main screen does, one flow a module: plain objects that own state and start jobs, and draw nothing."""
