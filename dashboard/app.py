"""Entry of the dashboard: `streamlit run dashboard/app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import palette
from dashboard.views import analysis, author, portfolio, screener, settings

ICON = Path(__file__).with_name("icon.svg")
STYLE = Path(__file__).with_name("style.css")


def main() -> None:
    """Draw the navigation and the page that is open."""
    st.set_page_config(page_title="Trading", page_icon=str(ICON), layout="wide")
    st.html(f"<style>{palette.variables(palette.current())}{STYLE.read_text('utf-8')}</style>")
    pages = [
        st.Page(portfolio.draw, title="Portfolio", icon=":material/account_balance:", default=True),
        st.Page(analysis.draw, title="Analysis", icon=":material/monitoring:", url_path="analysis"),
        st.Page(screener.draw, title="Screener", icon=":material/filter_alt:", url_path="screener"),
        st.Page(author.draw, title="Author", icon=":material/edit_note:", url_path="author"),
        st.Page(settings.draw, title="Settings", icon=":material/tune:", url_path="settings"),
    ]
    alias = st.Page(lambda: st.switch_page(pages[0]), title="Portfolio", url_path="portfolio", visibility="hidden")
    st.navigation([*pages, alias], position="top").run()


if __name__ == "__main__":
    main()
