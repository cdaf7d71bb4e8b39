"""corewise"""
