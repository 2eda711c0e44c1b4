"""Do both engines keep torch's contract: derivatives of every order, transforms, precisions, copies, hooks?"""
