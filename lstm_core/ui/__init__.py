"""The only part of the core that knows Streamlit."""
