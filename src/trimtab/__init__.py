"""The backend: an optimizer that tunes what agents measure, its memory, and one HTTP server."""
