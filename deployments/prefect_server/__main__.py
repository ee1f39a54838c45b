"""Run the Prefect server: `python -m deployments.prefect_server HOST PORT`."""

from deployments.prefect_server.serve import main

if __name__ == "__main__":
    main()
