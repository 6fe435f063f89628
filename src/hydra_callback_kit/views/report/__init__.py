"""The report: one HTML file that shows a run or sweep as a whole, made from its record."""
