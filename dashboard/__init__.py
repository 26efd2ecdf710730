"""The Streamlit pages; they know the system through its api only."""
