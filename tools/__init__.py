"""What a developer's machine needs: the bootstrap behind ``make``. The add-on itself never imports it."""
