"""What people see. Streamlit and Plotly live here and nowhere else."""
