"""Does the dashboard hold when a crowd comes? Visitors without browsers, who speak Streamlit's own protocol."""
